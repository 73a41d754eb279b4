//! Names that AWS gives out, as text that is known to be of their form.
//!
//! Input: what a person wrote. Output: the same, or what is wrong with it.
//! Whether there is such a thing, only AWS knows.

use super::name::Namespace;

/// An account.
pub fn account(text: &str) -> Result<String, String> {
    if is_account(text) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not an AWS account, it has twelve digits"
        ))
    }
}

/// A region.
pub fn region(text: &str) -> Result<String, String> {
    let ends_in_number = text.ends_with(|c: char| c.is_ascii_digit());
    if ends_in_number && text.contains('-') && Namespace::parse(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not an AWS region, write one like eu-central-1"
        ))
    }
}

/// The name of an EKS cluster.
pub fn cluster(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && text.len() <= 100 && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` cannot be an EKS cluster: write its name, of letters, digits, `-` and `_`"
        ))
    }
}

/// The ARN of an IAM role.
pub fn role(text: &str) -> Result<String, String> {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let path = |path: &str| {
        let allowed = |c: char| c.is_ascii_graphic();
        let name = path.strip_prefix("role/");
        name.is_some_and(|name| !name.is_empty() && name.chars().all(allowed))
    };
    let good = match parts.as_slice() {
        ["arn", partition, "iam", "", account, role] => {
            partition.starts_with("aws") && is_account(account) && path(role)
        }
        _ => false,
    };
    if good {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not an IAM role, write one like arn:aws:iam::123456789012:role/deployer"
        ))
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters() {
        for good in ["v2", "Prod_1", "0-a", &"a".repeat(100)] {
            assert!(cluster(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a b", "a.b", "arn:aws:eks", &"a".repeat(101)] {
            assert!(cluster(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn roles() {
        for good in [
            "arn:aws:iam::123456789012:role/deployer",
            "arn:aws-cn:iam::123456789012:role/team/a@b",
        ] {
            assert!(role(good).is_ok(), "{good}");
        }
        for bad in [
            "deployer",
            "arn:aws:iam::12345678901:role/deployer",
            "arn:aws:iam::123456789012:user/deployer",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/a b",
            "arn:azure:iam::123456789012:role/a",
            "arn:aws:sts::123456789012:assumed-role/a/b",
        ] {
            assert!(role(bad).is_err(), "{bad}");
        }
    }
}
