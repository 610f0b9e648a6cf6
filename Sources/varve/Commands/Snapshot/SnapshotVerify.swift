internal import ArgumentParser
internal import ControlPlane

/// `varve snapshot verify`
struct SnapshotVerify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read all that a snapshot needs and check every hash.",
        discussion: """
            Level live compares it with the volumes that count their changes from it, as well.

            Example:
              varve snapshot verify snap-0123456789abcdef0 --level live
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Option(help: "How thoroughly: listing, structure, sample, everything or live.") var level = "everything"

    func validate() throws { try VerifyOutcome.check(level) }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw(
            "POST", "/snapshots/\(Segment.of(id))/verify", ["level": .text(level)])
        try VerifyOutcome.show(bytes, as: format.output)
    }
}
