internal import ArgumentParser
internal import ControlPlane

/// `varve snapshot verify`
struct SnapshotVerify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read all that a snapshot needs and check every hash.",
        discussion: """
            Example:
              varve snapshot verify snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("POST", "/snapshots/\(Segment.of(id))/verify")
        try VerifyOutcome.show(bytes, as: format.output)
    }
}
