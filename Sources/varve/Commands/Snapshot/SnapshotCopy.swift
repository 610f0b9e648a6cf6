internal import ArgumentParser
internal import ControlPlane

/// `varve snapshot copy`
struct SnapshotCopy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy a snapshot to another region, or within one, and print the copy's id.",
        discussion: """
            The first copy of a volume's snapshots to a region is full; later ones move only what changed. Within a region
            nothing moves. The copying goes on in the background; with --wait the command returns when it is done, and on a
            terminal shows how far it is. To cancel it, delete the copy.

            Examples:
              varve snapshot copy snap-0123456789abcdef0 --to-region us-west-2 --wait
              varve snapshot copy snap-0123456789abcdef0 --from-region us-west-2 --name back
              varve snapshot copy snap-0123456789abcdef0 --encrypted
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Option(help: ArgumentHelp("Where it is; by default the server's first region.", valueName: "name"))
    var fromRegion: String?
    @Option(help: ArgumentHelp("Where the copy comes to; by default likewise.", valueName: "name"))
    var toRegion: String?
    @Option(help: "A name, 1 to 128 characters.") var name: String?
    @Option(help: "A description, at most 1024 characters.") var description: String?
    @Flag(help: "Encrypt the copy, also if the snapshot is not.") var encrypted = false
    @Option(help: ArgumentHelp("The wrapping key to encrypt it with.", valueName: "key")) var key: String?
    @Flag(help: "Return when the copy is completed.") var wait = false

    private struct Regions: Decodable {
        struct Member: Decodable {
            let name: String
        }
        let regions: [Member]
    }

    func run() async throws {
        try await NativeClient.with(server, in: toRegion) { client in
            var fields: [String: NativeClient.Field] = ["snapshotId": .text(id)]
            fields["fromRegion"] = .text(try await source(client))
            if let name { fields["name"] = .text(name) }
            if let description { fields["description"] = .text(description) }
            if encrypted || key != nil { fields["encrypted"] = .flag(true) }
            if let key { fields["keyId"] = .text(key) }
            let copy: SnapshotView = try await client.call("POST", "/snapshot-copies", fields)
            Output.line(copy.id)
            if wait { try await SnapshotProgress.follow(copy, client) }
        }
    }

    private func source(_ client: NativeClient) async throws -> String? {
        if let known = fromRegion ?? server.wantedRegion { return known }
        return (try await client.call("GET", "/regions") as Regions).regions.first?.name
    }
}
