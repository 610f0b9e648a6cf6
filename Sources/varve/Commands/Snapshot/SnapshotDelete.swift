internal import ArgumentParser

/// `varve snapshot delete`
struct SnapshotDelete: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a snapshot; a pending one is cancelled.",
        discussion: """
            Any snapshot that is not locked and that no image needs may go at any time; the others stay whole. Where a rule of the bin
            holds it is kept there (`varve bin list`), else `varve store reclaim` frees its space.

            Example:
              varve snapshot delete snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/snapshots/\(Segment.of(id))")
    }
}
