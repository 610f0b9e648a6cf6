internal import ArgumentParser
internal import ControlPlane

/// `varve volume import`
///
/// 1. Look at the file.                    Undo: nothing was made.
/// 2. Begin the import.                    Undo: abandon it.
/// 3. Send the data: raw by the API, qcow2 by qemu-img over NBD.   Undo: detach, abandon.
/// 4. Finish: the volume is available.
/// When this program dies in between, the server deletes the volume at its next start.
struct VolumeImport: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a volume from a raw or qcow2 image and print its id.",
        discussion: """
            Holes and zeros in the image take no space. qcow2 needs the program qemu-img.

            Example:
              varve volume import debian-12.qcow2 --name debian
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The image.", completion: .file()) var file: String
    @Option(help: "A name, 1 to 128 characters.") var name: String?
    @Option(help: "raw or qcow2; found out if not given.") var format: String?
    @Flag(help: "Encrypt its snapshots; what is made of something encrypted is so by itself.")
    var encrypted = false
    @Option(
        help: ArgumentHelp(
            "Encrypt with this key; by default the account's, else the one last rotated to, else the server's first.",
            valueName: "key"
        ))
    var key: String?

    func validate() throws {
        if let format, ImageFile.Format(rawValue: format) == nil {
            throw ValidationError("The format '\(format)' is not raw or qcow2.")
        }
    }

    func run(_ client: NativeClient) async throws {
        let image = try ImageFile(file, as: format.flatMap(ImageFile.Format.init))
        var fields: [String: NativeClient.Field] = ["sizeBytes": .number(image.size)]
        if let name { fields["name"] = .text(name) }
        if encrypted || key != nil { fields["encrypted"] = .flag(true) }
        if let key { fields["keyId"] = .text(key) }
        let interruption = await Interruption()
        let volume: VolumeView = try await client.call("POST", "/imports", fields)
        do {
            let painter = ProgressPainter("Importing", total: image.size)
            defer { painter.finish() }
            try await interruption.cancels { try await Self.fill(volume.id, from: image, client, painter) }
            _ = try await client.callRaw("POST", "/imports/\(Segment.of(volume.id))/finish")
        } catch {
            // The first error is the one to tell; what cannot be undone now is undone at the server's next start.
            _ = try? await client.callRaw("POST", "/volumes/\(Segment.of(volume.id))/detach")
            _ = try? await client.callRaw("DELETE", "/imports/\(Segment.of(volume.id))")
            throw error
        }
        Output.line(volume.id)
    }

    private static func fill(
        _ id: String, from image: ImageFile, _ client: NativeClient, _ painter: ProgressPainter
    ) async throws {
        switch image.format {
        case .raw:
            try await RawImport(path: image.path, volume: id, client: client, painter: painter).run(size: image.size)
        case .qcow2:
            let attachment: AttachmentView = try await client.call("POST", "/volumes/\(Segment.of(id))/attach")
            try await QemuImage.copy(image.path, to: attachment.uri, painter)
            _ = try await client.callRaw("POST", "/volumes/\(Segment.of(id))/detach")
        }
    }
}
