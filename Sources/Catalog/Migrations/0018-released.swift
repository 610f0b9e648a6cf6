extension Migration {
    /// 0018-released: snapshots of a policy that it is to leave alone, since their owner took them out of the bin.
    static let released = Migration(
        number: 18, name: "released",
        statements: ["ALTER TABLE policy_snapshots ADD COLUMN is_released @integer NOT NULL DEFAULT 0"])
}
