/// The table of actions in docs/compatibility.md, made from the routing table so that it cannot say what is not so.
enum Compatibility {
    /// Lines of Markdown, by name.
    static var table: [String] {
        let actions = ECSDialect.actions.values.sorted { $0.name < $1.name }
        let rows = actions.map { action in
            "| `\(action.name)` | \(action.lacks == nil ? "works" : "partly") | \(action.lacks ?? "") |"
        }
        return ["| action | | what is missing |", "|---|---|---|"] + rows
    }
}
