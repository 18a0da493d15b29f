//! Bar charts, as SVG inside a page, with a text alternative.

use plotters::prelude::*;

use crate::error::PageError;

const SIZE: (u32, u32) = (560, 200);

/// Colours of the bars, with enough contrast on light and on dark.
const COLOURS: [RGBColor; 2] = [RGBColor(0x3d, 0x85, 0xc6), RGBColor(0xd9, 0x5b, 0x43)];

/// Colour that text is drawn in; replaced by that of the page.
const TEXT: RGBColor = RGBColor(1, 2, 3);

/// Counts of the hours or days of a chart.
pub(crate) struct Chart<'a> {
    /// Names of the columns.
    pub(crate) columns: &'a [String],
    /// Counts of each column: one or two bars, stacked.
    pub(crate) counts: &'a [[i64; 2]],
}

impl Chart<'_> {
    /// Draws the chart.
    pub(crate) fn svg(&self) -> Result<String, PageError> {
        let mut text = String::new();
        self.draw(&mut text).map_err(|error| PageError::Drawing(error.to_string()))?;
        let head = "<svg class=\"gw-chart\" aria-hidden=\"true\" ";
        Ok(text.replacen("<svg ", head, 1).replace("#010203", "currentColor"))
    }

    fn draw(&self, text: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::with_string(text, SIZE).into_drawing_area();
        let columns = i32::try_from(self.columns.len())?;
        let most = self.counts.iter().map(|[one, other]| one + other).max().unwrap_or_default();
        let mut chart = ChartBuilder::on(&area)
            .margin(4)
            .x_label_area_size(24)
            .y_label_area_size(48)
            .build_cartesian_2d(0..columns, 0..most.max(4) + most / 20)?;
        let name = |column: &i32| {
            let column = usize::try_from(*column).unwrap_or(usize::MAX);
            self.columns.get(column).cloned().unwrap_or_default()
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(TEXT.mix(0.15))
            .axis_style(TEXT.mix(0.4))
            .label_style(("sans-serif", 12).into_font().color(&TEXT))
            .x_labels(8)
            .y_labels(4)
            .x_label_formatter(&name)
            .draw()?;
        for (column, [one, other]) in (0..).zip(self.counts) {
            let bars = [(0, *one), (*one, one + other)];
            for ((from, to), colour) in bars.into_iter().zip(COLOURS) {
                if to > from {
                    let mut bar =
                        Rectangle::new([(column, from), (column + 1, to)], colour.filled());
                    bar.set_margin(0, 0, 1, 1);
                    chart.draw_series([bar])?;
                }
            }
        }
        area.present()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_bar_for_each_count_and_no_style_that_the_browser_refuses() {
        let columns = ["0".to_owned(), "1".to_owned(), "<2>".to_owned()];
        let counts = [[0, 0], [3, 1], [5, 0]];
        let svg = Chart { columns: &columns, counts: &counts }.svg().unwrap();
        assert_eq!(svg.matches("#3D85C6").count(), 2, "{svg}");
        assert_eq!(svg.matches("#D95B43").count(), 1, "{svg}");
        assert!(svg.contains("currentColor"));
        for refused in ["style=", "<style", "<script", "<2>"] {
            assert!(!svg.contains(refused), "{refused} in {svg}");
        }
    }

    #[test]
    fn a_chart_of_nothing_is_a_chart() {
        let svg = Chart { columns: &[], counts: &[] }.svg().unwrap();
        assert!(svg.starts_with("<svg"), "{svg}");
        let svg = Chart { columns: &["a".to_owned()], counts: &[[0, 0]] }.svg().unwrap();
        assert!(svg.starts_with("<svg"), "{svg}");
    }
}
