//! What was said of a group last, so that people hear only what is new: what waits is
//! tried again and again.

use super::super::judge::Says;
use crate::port::sight::Upcoming;
use crate::promotion::agenda::Start;

/// What was said last.
#[derive(Default)]
pub(super) struct Telling {
    announced: Option<Announcement>,
    said: Option<Saying>,
}

/// What is done next, for all to see; `None`: nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement(pub(super) Option<Upcoming>);

/// How a job ended, and which one.
#[derive(PartialEq, Eq)]
struct Saying {
    /// `None`: it drove on what somebody left.
    start: Option<Start>,
    /// The images there were.
    images: Option<String>,
    says: Says,
}

impl Telling {
    /// Whether anything was ever announced.
    pub(super) fn has_announced(&self) -> bool {
        self.announced.is_some()
    }

    /// Gives what is done next if it is to be announced, where everybody sees `seen`: when it
    /// becomes another thing for this process: two that think differently must not
    /// contradict each other without an end.
    pub(super) fn announcement(
        &mut self,
        next: Announcement,
        seen: Option<&Upcoming>,
    ) -> Option<Announcement> {
        let is_seen = seen == next.0.as_ref();
        let before = self.announced.replace(next.clone());
        let is_new = before.as_ref() != Some(&next);
        Some(next).filter(|_| is_new && !is_seen)
    }

    /// Whether that was not said yet of a job that was started so, with these images.
    pub(super) fn is_new(
        &mut self,
        start: Option<&Start>,
        images: Option<&str>,
        says: &Says,
    ) -> bool {
        let saying = Saying {
            start: start.cloned(),
            images: images.map(str::to_owned),
            says: says.clone(),
        };
        let before = self.said.replace(saying);
        before != self.said
    }
}
