extension Migration {
    /// 0002-set-aside: a volume's files need not be named after it, and may be what is left of another volume's.
    ///
    /// `files` is the folder under `volumes/`; NULL: named after the volume. `aside_of` is the volume whose files these
    /// were until a roll back set them aside; NULL for every volume that somebody knows.
    static let setAside = Migration(
        number: 2, name: "set-aside",
        statements: [
            "ALTER TABLE volumes ADD COLUMN files TEXT",
            "ALTER TABLE volumes ADD COLUMN aside_of TEXT",
        ])
}
