//! Characters that nobody sees: with one of them, a name looks like another, and a pattern matches
//! nothing.

use std::ops::RangeInclusive;

/// Characters without a glyph of their own, in order: Unicode 16's `Default_Ignorable_Code_Point`
/// (zero-width, bidirectional controls, variation selectors, tags), the other format controls, and
/// the blank of Braille.
const INVISIBLE: [RangeInclusive<char>; 26] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Returns whether a character is a control character or has no glyph.
pub fn is_invisible(c: char) -> bool {
    c.is_control() || (!c.is_ascii() && INVISIBLE.iter().any(|range| range.contains(&c)))
}

/// Returns the first character that is a space or invisible.
pub fn hidden_character(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_whitespace() || is_invisible(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_controls_and_what_has_no_glyph_are_hidden() {
        for c in [
            '\n',
            '\0',
            '\t',
            ' ',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0041}',
            '\u{2800}',
            '\u{110bd}',
        ] {
            assert_eq!(hidden_character(&format!("vps:{c}x")), Some(c), "{c:?}");
        }
        for text in ["", "vps:apiovh:assume?a=b&c=*", "büro", "日本", "Ωμέγα", "ستون", "🦀"]
        {
            assert_eq!(hidden_character(text), None, "{text}");
        }
    }

    #[test]
    fn the_ranges_are_in_order() {
        assert!(INVISIBLE.windows(2).all(|two| two[0].end() < two[1].start()));
    }
}
