internal import ArgumentParser
internal import ControlPlane

/// `varve snapshot watch`
struct SnapshotWatch: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show an upload's progress and return when the snapshot is completed.",
        discussion: """
            Example:
              varve snapshot watch snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's id.") var id: String

    func run(_ client: NativeClient) async throws {
        try await SnapshotProgress.follow(try await client.call("GET", "/snapshots/\(Segment.of(id))"), client)
    }
}
