internal import ArgumentParser
internal import ControlPlane

/// `varve volume export`
struct VolumeExport: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a volume's disk to an image file.",
        discussion: """
            The volume must not be attached, so that nothing changes meanwhile; of one in use, take a snapshot and
            export that. Needs the program qemu-img. Zeros become holes.

            Example:
              varve volume export vol-0123456789abcdef0 disk.raw
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String
    @OptionGroup var image: ImageExport

    func run(_ client: NativeClient) async throws {
        try image.check()
        let volume: VolumeView = try await client.call("GET", "/volumes/\(Segment.of(id))")
        guard volume.state != .inUse else {
            throw CommandFailure.refused(
                "volume \(id) is attached and may change; detach it, or export a snapshot of it")
        }
        let attachment: AttachmentView = try await client.call("POST", "/volumes/\(Segment.of(id))/attach")
        do {
            try await image.write(attachment.uri, size: volume.sizeBytes)
        } catch {
            _ = try? await client.callRaw("POST", "/volumes/\(Segment.of(id))/detach")
            throw error
        }
        _ = try await client.callRaw("POST", "/volumes/\(Segment.of(id))/detach")
    }
}
