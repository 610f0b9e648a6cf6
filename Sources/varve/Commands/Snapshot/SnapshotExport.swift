internal import ArgumentParser
internal import ControlPlane

/// `varve snapshot export`
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
    @OptionGroup var image: ImageExport

    func run(_ client: NativeClient) async throws {
        try image.check()
        let snapshot: SnapshotView = try await client.call("GET", "/snapshots/\(Segment.of(id))")
        if let damage = snapshot.damage {
            throw CommandFailure.refused(
                "the snapshot \(id) is degraded: \(damage.bytes) bytes of it cannot be read. Make a volume of it with "
                    + "varve volume create --from-snapshot \(id) --skip-damaged, and export that")
        }
        let attachment: AttachmentView = try await client.call("POST", "/snapshots/\(Segment.of(id))/attach")
        do {
            try await image.write(attachment.uri, size: snapshot.volumeSizeBytes)
        } catch {
            await end(snapshot, client)
            throw error
        }
        await end(snapshot, client)
    }

    /// Ends the export that was made for this, not one that was there before.
    private func end(_ snapshot: SnapshotView, _ client: NativeClient) async {
        guard snapshot.uri == nil else { return }
        _ = try? await client.callRaw("POST", "/snapshots/\(snapshot.id)/detach")
    }
}
