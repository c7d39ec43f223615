//! A webhook's body, read as JSON once for all that is asked about it.

use super::BadOrder;
use super::tree::Tree;

/// A body that was read as JSON, or what is wrong with it.
#[derive(Debug)]
pub struct Body<'b> {
    pub(super) tree: Result<Tree<'b>, BadOrder>,
}

impl<'b> Body<'b> {
    /// Reads the whole body.
    pub fn parse(body: &'b [u8]) -> Self {
        Self { tree: Tree::parse(body) }
    }

    /// The document.
    ///
    /// # Errors
    /// It is not JSON.
    pub(super) fn tree(&self) -> Result<&Tree<'b>, BadOrder> {
        self.tree.as_ref().map_err(Clone::clone)
    }
}
