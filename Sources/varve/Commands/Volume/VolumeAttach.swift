internal import ArgumentParser
internal import ControlPlane

/// `varve volume attach`
struct VolumeAttach: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Offer a volume to this host over NBD.",
        discussion: """
            `varve volume uri` does the same and prints where. Attaching an attached volume changes nothing.

            Example:
              varve volume attach vol-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let attachment: AttachmentView = try await client.call("POST", "/volumes/\(Segment.of(id))/attach")
        Output.note("attached at \(attachment.uri)")
    }
}
