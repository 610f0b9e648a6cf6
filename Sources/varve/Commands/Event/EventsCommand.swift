internal import ArgumentParser
internal import Blocks
internal import ControlPlane
internal import Terminal

/// `varve events`
struct EventsCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what was changed or was to be, and by whom; newest first.",
        discussion: """
            Every request that changes something leaves one, refused ones too, and so does what the server does by itself for
            policies and the bin. Times are UTC.

            Examples:
              varve events --since 2026-11-01 --subject vol-0123456789abcdef0
              varve events --failed --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Option(help: "From then on: 2026-11-01 or 2026-11-01T13:00:00Z.") var since: String?
    @Option(help: "Before then.") var until: String?
    @Option(help: "About this object, by its id.") var subject: String?
    @Flag(help: "Only what was refused.") var failed = false
    @Option(help: "Only those before this number.") var before: Int?
    @Option(help: "At most so many, 1 to 1000.") var limit: Int = 100
    @Option(help: "Another account, for the house's administrator.") var account: String?

    private struct Answer: Decodable {
        let events: [EventView]
    }

    func run(_ client: NativeClient) async throws {
        var query = ["limit=\(limit)"]
        for (name, value) in [("since", since), ("until", until), ("subject", subject), ("account", account)] {
            if let value { query.append("\(name)=\(try QueryValue.of(value))") }
        }
        if failed { query.append("failed=true") }
        if let before { query.append("before=\(before)") }
        let bytes = try await client.callRaw("GET", "/events?" + query.joined(separator: "&"))
        if format.output == .json { return Output.json(bytes) }
        var table = Table(">NUMBER", "WHEN", "WHO", "WHAT", "OUTCOME", "ABOUT", "FROM")
        for event in (try NativeClient.read(bytes) as Answer).events {
            table.add(
                String(event.number), LocalTime.text(event.at), event.principal, event.action ?? event.verb,
                event.outcome,
                event.subjects.joined(separator: " "), event.cause ?? event.address ?? "")
        }
        table.lines.forEach(Output.line)
    }
}
