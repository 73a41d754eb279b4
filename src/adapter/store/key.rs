//! What rows are about: the first columns of every table.

use sqlx::any::AnyArguments;
use sqlx::{Any, SqlSafeStr};

use crate::group::name::GroupName;
use crate::port::records::{Entry, PlaceName};
use crate::promotion::id::PromotionId;

/// A statement that is given its values.
pub(super) type Query<'a> = sqlx::query::Query<'a, Any, AnyArguments>;

/// What rows are about.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    place: &'a str,
    group: &'a str,
    /// Empty: no single one.
    promotion: &'a str,
}

impl<'a> Key<'a> {
    /// A group in a place, or one promotion of it.
    pub(super) fn new(
        place: &'a PlaceName,
        group: &'a GroupName,
        promotion: Option<&'a PromotionId>,
    ) -> Self {
        Self {
            place: place.as_str(),
            group: group.as_str(),
            promotion: promotion.map_or("", AsRef::as_ref),
        }
    }

    /// A statement about it: `$1`, `$2` and `$3`.
    pub(super) fn query(self, sql: impl SqlSafeStr) -> Query<'a> {
        self.bind(sqlx::query(sql))
    }

    /// The same to the next three values.
    pub(super) fn bind(self, query: Query<'a>) -> Query<'a> {
        let query = query.bind(self.place).bind(self.group);
        query.bind(self.promotion)
    }
}

impl<'a> From<&'a Entry> for Key<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self::new(&entry.place, &entry.group, Some(&entry.promotion))
    }
}
