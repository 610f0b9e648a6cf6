/// The table of actions in docs/compatibility.md, made from the routing table so that it cannot say what is not so.
enum Compatibility {
    /// Lines of Markdown, by service and name.
    static var table: [String] {
        let actions = KingsoftDialect.actions.values.sorted { $0.key < $1.key }
        let rows = actions.map { action in
            "| `\(action.key.service.rawValue)` | `\(action.key.name)` | \(action.lacks == nil ? "works" : "partly") | "
                + "\(action.lacks ?? "") |"
        }
        return ["| service | action | | what is missing |", "|---|---|---|---|"] + rows
    }
}
