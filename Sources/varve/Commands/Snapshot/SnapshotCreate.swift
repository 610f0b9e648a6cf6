internal import ArgumentParser
internal import ControlPlane

/// `varve snapshot create`
struct SnapshotCreate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Fix a volume's content at this instant and print the snapshot's id.",
        discussion: """
            The upload goes on in the background while the volume is used; with --wait the command returns when it is
            done, and on a terminal shows how far it is.

            Examples:
              varve snapshot create vol-0123456789abcdef0 --name before-upgrade --wait
              varve snapshot create vol-0123456789abcdef0 vol-0123456789abcdef1 --group
              varve snapshot create vol-0123456789abcdef0 --release-after 30d
              varve snapshot create vol-0123456789abcdef0 --quiesce --at-least file-system
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id; with --group, several.") var volumes: [String]
    @Option(help: "A name, 1 to 128 characters.") var name: String?
    @Option(help: "A description, at most 1024 characters.") var description: String?
    @OptionGroup var release: ReleaseOptions
    @OptionGroup var quiescing: QuiesceOptions
    @Flag(help: "Return when the snapshot is completed.") var wait = false
    @Flag(help: "One cut across all the volumes; prints an id for each.") var group = false

    func validate() throws {
        if volumes.count > 1 && !group {
            throw ValidationError("Several volumes are cut at the same instant with --group.")
        }
    }

    private struct Group: Decodable {
        let snapshots: [SnapshotView]
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let name { fields["name"] = .text(name) }
        if let description { fields["description"] = .text(description) }
        release.add(to: &fields)
        if let quiesce = try quiescing.quiesce { fields["quiesce"] = .value(quiesce) }
        let snapshots = try await take(client, fields)
        for snapshot in snapshots { Output.line(snapshot.id) }
        guard wait else { return }
        for snapshot in snapshots { try await SnapshotProgress.follow(snapshot, client) }
    }

    private func take(_ client: NativeClient, _ fields: [String: NativeClient.Field]) async throws -> [SnapshotView] {
        var fields = fields
        if group {
            fields["volumeIds"] = .texts(volumes)
            return (try await client.call("POST", "/snapshot-groups", fields) as Group).snapshots
        }
        fields["volumeId"] = .text(volumes[0])
        return [try await client.call("POST", "/snapshots", fields)]
    }
}
