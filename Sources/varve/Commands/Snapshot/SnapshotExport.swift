internal import ArgumentParser
internal import Blocks
internal import ControlPlane

/// `varve snapshot export`
///
/// The file appears under its name only when it is whole.
struct SnapshotExport: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a snapshot's disk to an image file.",
        discussion: """
            Needs the program qemu-img. Zeros become holes.

            Example:
              varve snapshot export snap-0123456789abcdef0 disk.qcow2 --format qcow2
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Argument(help: "The image to make.", completion: .file()) var file: String
    @Option(help: "raw or qcow2.") var format = "raw"
    @Flag(help: "Replace a file that is there.") var force = false

    func validate() throws {
        if ImageFile.Format(rawValue: format) == nil {
            throw ValidationError("The format '\(format)' is not raw or qcow2.")
        }
    }

    func run(_ client: NativeClient) async throws {
        let disk = LocalDisk()
        let facts: FileFacts? = try Self.refusing { try disk.facts(file) }
        guard facts?.isDirectory != true else { throw CommandFailure.refused("\(file) is a directory") }
        guard facts == nil || force else {
            throw CommandFailure.refused("\(file) is there already; give another name, or --force to replace it")
        }
        let snapshot: SnapshotView = try await client.call("GET", "/snapshots/\(Segment.of(id))")
        let attachment: AttachmentView = try await client.call("POST", "/snapshots/\(Segment.of(id))/attach")
        let beside = file + ".part"
        do {
            try await copy(attachment.uri, to: beside, size: snapshot.volumeSizeBytes)
            try Self.refusing { try disk.rename(beside, to: file) }
        } catch {
            try? disk.remove(beside)
            await end(snapshot, client)
            throw error
        }
        await end(snapshot, client)
    }

    private func copy(_ uri: String, to path: String, size: Int) async throws {
        let painter = ProgressPainter("Exporting", total: size)
        defer { painter.finish() }
        let kind = ImageFile.Format(rawValue: format) ?? .raw
        try await Interruption.cancels { try await QemuImage.copy(from: uri, to: path, as: kind, painter) }
    }

    /// Ends the export that was made for this, not one that was there before.
    private func end(_ snapshot: SnapshotView, _ client: NativeClient) async {
        guard snapshot.uri == nil else { return }
        _ = try? await client.callRaw("POST", "/snapshots/\(snapshot.id)/detach")
    }

    private static func refusing<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let failure as DiskFailure {
            throw CommandFailure.refused("\(failure)")
        }
    }
}
