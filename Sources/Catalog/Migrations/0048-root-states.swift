extension Migration {
    /// 0048-root-states: in which state the instance was when a new disk was asked for, and since when. Of what is under way the state
    /// now counts.
    static let rootStates = Migration(
        number: 48, name: "root-states",
        statements: [
            "ALTER TABLE root_replacements ADD COLUMN instance_state TEXT",
            "ALTER TABLE root_replacements ADD COLUMN instance_since @integer",
            """
            UPDATE root_replacements
            SET instance_state = (SELECT state FROM instances WHERE id = instance_id),
                instance_since = (SELECT changed_at FROM instances WHERE id = instance_id)
            """,
        ])
}
