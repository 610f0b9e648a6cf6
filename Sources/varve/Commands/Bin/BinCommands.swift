internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve bin ...`
struct BinCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bin", abstract: "What is kept after it was deleted, and the rules that say so.",
        subcommands: [BinList.self, BinRestore.self, BinEmpty.self, BinRuleCommands.self])
}

/// `varve bin list`
struct BinList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List deleted snapshots, volumes and images that are kept.",
        discussion: """
            Example:
              varve bin list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/bin")
        if format.output == .json { return Output.json(bytes) }
        let contents: BinContents = try NativeClient.read(bytes)
        var table = Table("ID", "NAME", "VOLUME", ">DISK", "DELETED", "GOES")
        for one in contents.volumes {
            table.add(
                one.object.id, one.object.name ?? "", "", Size(bytes: one.object.sizeBytes).description,
                LocalTime.text(one.enteredAt), LocalTime.text(one.leavesAt))
        }
        for one in contents.images {
            let size = one.object.disks.map(\.sizeBytes).reduce(0, +)
            table.add(
                one.object.id, one.object.name, "", Size(bytes: size).description, LocalTime.text(one.enteredAt),
                LocalTime.text(one.leavesAt))
        }
        for one in contents.snapshots {
            table.add(
                one.object.id, one.object.name ?? "", one.object.volumeId,
                Size(bytes: one.object.volumeSizeBytes).description, LocalTime.text(one.enteredAt),
                LocalTime.text(one.leavesAt))
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve bin restore`
struct BinRestore: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring a snapshot, a volume or an image back from the bin.",
        discussion: """
            A snapshot is shared with whom it was; a volume is attached to nothing; an image needs its snapshots restored first.

            Example:
              varve bin restore snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's, the volume's or the image's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("POST", "/bin/\(Segment.of(id))/restore")
    }
}

/// `varve bin empty`
struct BinEmpty: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "empty", abstract: "Delete something in the bin for good, before its time.",
        discussion: """
            For an account's administrators. Refused while a rule that is locked keeps it.

            Example:
              varve bin empty snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's, the volume's or the image's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/bin/\(Segment.of(id))")
    }
}
