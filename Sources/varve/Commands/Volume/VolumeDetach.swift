internal import ArgumentParser
internal import ControlPlane

/// `varve volume detach`
struct VolumeDetach: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "End a volume's NBD export, once what is in flight is done.",
        discussion: """
            Example:
              varve volume detach vol-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("POST", "/volumes/\(Segment.of(id))/detach")
    }
}
