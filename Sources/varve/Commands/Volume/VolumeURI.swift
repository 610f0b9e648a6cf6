internal import ArgumentParser
internal import ControlPlane

/// `varve volume uri`
struct VolumeURI: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "uri", abstract: "Attach a volume to this host if need be and print its NBD URI.",
        discussion: """
            qemu, nbdcopy, nbdfuse, fio and other NBD clients take the URI.

            Example:
              nbdinfo "$(varve volume uri vol-0123456789abcdef0)"
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var network: NetworkFlag
    @Argument(help: "The volume's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let attachment: AttachmentView = try await client.call("POST", "/volumes/\(Segment.of(id))/attach")
        Output.line(try network.choose(attachment))
    }
}
