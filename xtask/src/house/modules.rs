//! Reads a crate as a tree of modules: their definitions, imports and references.
//!
//! Tests do not count: an item under `#[cfg(test)]` is left out.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{Attribute, Expr, ImplItem, Item, ItemImpl, Lit, Meta, Type};

use super::mention::{Collector, Import, Mention, imports, plain};
use super::source::Sources;

/// The path of a module from the root of its crate, whose own path is empty.
pub(crate) type ModulePath = Vec<String>;

/// A library, a program, or a test or benchmark that is a crate of its own.
pub(crate) struct Crate {
    /// The package of the crate.
    pub(crate) package: String,
    pub(crate) root: String,
    pub(crate) modules: BTreeMap<ModulePath, Module>,
    /// The file that defines each macro: macros belong to no module.
    pub(crate) macros: BTreeMap<String, String>,
}

/// A module, in a file of its own or inside another module's.
#[derive(Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    /// True if it is inside another module's file.
    pub(crate) inline: bool,
    /// The text of its `//!` lines.
    pub(crate) doc: String,
    pub(crate) items: BTreeSet<String>,
    /// The types and the methods of their inherent `impl` blocks in this module.
    pub(crate) methods: BTreeSet<(String, String)>,
    pub(crate) imports: Vec<Import>,
    pub(crate) mentions: Vec<Mention>,
}

impl Crate {
    /// Reads the crate whose root is the given file.
    pub(crate) fn read(sources: &Sources, package: &str, root: &str) -> Result<Self, String> {
        let mut read = Self {
            package: package.into(),
            root: root.into(),
            modules: BTreeMap::new(),
            macros: BTreeMap::new(),
        };
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        read.read_file(sources, Vec::new(), root, folder)?;
        Ok(read)
    }

    fn read_file(
        &mut self,
        sources: &Sources,
        path: ModulePath,
        file: &str,
        folder: &str,
    ) -> Result<(), String> {
        let source = sources.get(file).ok_or_else(|| format!("{file} is missing"))?;
        let doc = doc(&source.syntax.attrs);
        let module = Module { file: file.into(), doc, ..Module::default() };
        self.read_items(sources, (path, module), &source.syntax.items, folder)
    }

    fn read_items(
        &mut self,
        sources: &Sources,
        (path, mut module): (ModulePath, Module),
        items: &[Item],
        folder: &str,
    ) -> Result<(), String> {
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            let Item::Mod(child) = item else {
                self.take(&mut module, item);
                continue;
            };
            let name = plain(&child.ident);
            let mut below = path.clone();
            below.push(name.clone());
            let folder = format!("{folder}/{name}");
            if let Some((_, items)) = &child.content {
                let file = module.file.clone();
                let module = Module { file, inline: true, ..Module::default() };
                self.read_items(sources, (below, module), items, &folder)?;
            } else {
                let files = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
                let file = files.iter().find(|file| sources.get(file).is_some());
                let file = file.ok_or_else(|| format!("{}: no file of {name}", module.file))?;
                self.read_file(sources, below, file, &folder)?;
            }
        }
        self.modules.insert(path, module);
        Ok(())
    }

    fn take(&mut self, module: &mut Module, item: &Item) {
        let Module { imports: to_imports, mentions, .. } = module;
        let mut collector = Collector { imports: to_imports, mentions, within: None };
        match item {
            Item::Use(item) => collector.imports.extend(imports(item)),
            Item::Impl(block) => {
                let mut block = block.clone();
                block.items.retain(|item| !is_test(attributes_within(item)));
                collector.within = type_name(&block.self_ty);
                collector.collect(block.to_token_stream());
                module.methods.extend(methods(&block));
            }
            item => {
                if let (Some(name), Item::Macro(_)) = (defined(item), item) {
                    self.macros.insert(name, module.file.clone());
                }
                collector.collect(item.to_token_stream());
                module.items.extend(defined(item));
            }
        }
    }
}

/// Returns the methods of an inherent `impl` block, with their type.
fn methods(block: &ItemImpl) -> Vec<(String, String)> {
    let (Some(of), None) = (type_name(&block.self_ty), &block.trait_) else { return Vec::new() };
    let names = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(plain(&function.sig.ident)),
        ImplItem::Const(constant) => Some(plain(&constant.ident)),
        _ => None,
    });
    names.map(|name| (of.clone(), name)).collect()
}

fn type_name(of: &Type) -> Option<String> {
    let Type::Path(of) = of else { return None };
    of.path.segments.last().map(|segment| plain(&segment.ident))
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(plain(name))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn attributes_within(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        _ => &[],
    }
}

/// Checks whether an item is for tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        _ => false,
    })
}

/// Returns the doc comment at the beginning of a file.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n")
}
