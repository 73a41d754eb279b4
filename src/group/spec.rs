//! What a group file and an environment file say, with its place in the file.
