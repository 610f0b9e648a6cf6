internal import ArgumentParser

/// `varve snapshot detach`
struct SnapshotDetach: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "End a snapshot's NBD export.",
        discussion: """
            Example:
              varve snapshot detach snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("POST", "/snapshots/\(Segment.of(id))/detach")
    }
}
