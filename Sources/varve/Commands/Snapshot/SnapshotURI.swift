internal import ArgumentParser
internal import ControlPlane

/// `varve snapshot uri`
struct SnapshotURI: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "uri", abstract: "Offer a snapshot read-only over NBD and print its URI.",
        discussion: """
            Mount it to fetch a single file; `varve snapshot detach` ends it.

            Example:
              nbdcopy "$(varve snapshot uri snap-0123456789abcdef0)" disk.img
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var network: NetworkFlag
    @Argument(help: "The snapshot's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let attachment: AttachmentView = try await client.call("POST", "/snapshots/\(Segment.of(id))/attach")
        Output.line(try network.choose(attachment))
    }
}
