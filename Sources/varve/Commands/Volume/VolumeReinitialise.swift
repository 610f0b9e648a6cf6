internal import ArgumentParser

/// `varve volume reinitialise`
struct VolumeReinitialise: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "reinitialise", abstract: "Give a volume the content again that it was made with.",
        discussion: """
            That is its snapshot's, or zeros; what it has now is lost, its snapshots stay. The volume must not be attached, but to
            an instance that is stopped.

            Example:
              varve volume reinitialise vol-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("POST", "/volumes/\(Segment.of(id))/reinitialise")
    }
}
