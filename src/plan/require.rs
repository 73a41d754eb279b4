//! What a group may promote beside another one that it requires: of a repository
//! that both take images from, only an image that serves there (design: shared apps
//! carry the same digests). Whether that group has passed is for
//! [`crate::promotion::restraint`].

use super::Plan;

/// What of a plan differs from what serves of a group that it requires, app by app,
/// in words.
pub fn differences(plan: &Plan, serving: &Plan) -> Vec<String> {
    let differs = plan.apps.iter().filter_map(|app| {
        let there = serving.apps.iter();
        let shared = there.filter(|there| there.image.repository == app.image.repository);
        let shared: Vec<_> = shared.map(|there| &there.image).collect();
        let is_same = shared.iter().any(|image| image.digest == app.image.digest);
        let other = shared.first().filter(|_| !is_same)?;
        let image = &app.image;
        Some(format!(
            "app {} would run {} {}, it serves {} {}",
            app.name,
            image.tag,
            image.digest.short(),
            other.tag,
            other.digest.short()
        ))
    });
    differs.collect()
}
