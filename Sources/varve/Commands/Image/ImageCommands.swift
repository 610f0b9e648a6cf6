internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve image ...`
struct ImageCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Register, list, show, copy and deregister images: what instances can be made from.",
        subcommands: [
            ImageRegister.self, ImageCopy.self, ImageList.self, ImageShow.self, ImageDeregister.self,
        ])
}

/// `varve image register`
struct ImageRegister: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "register", abstract: "Make an image of a snapshot or of an instance, and print its id.",
        discussion: """
            Of an instance, all disks are cut at one instant; the image is available once they are stored. A snapshot that an \
            image needs cannot be deleted until the image is deregistered.

            Example:
              varve image register --name base --snapshot snap-0123456789abcdef0
              varve image register --name nightly --instance i-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Option(help: "Its name: 3 to 128 letters, digits, spaces and ()[]./-'@_.") var name: String
    @Option(help: "A description.") var description: String?
    @Option(help: "A completed snapshot of the disk to start from.") var snapshot: String?
    @Option(help: "That disk's name on instances; without it, /dev/sda1.") var rootDevice: String?
    @Option(help: "The instance that it is made of.") var instance: String?

    func validate() throws {
        guard (snapshot == nil) != (instance == nil) else { throw ValidationError("give --snapshot or --instance") }
        if instance != nil, rootDevice != nil { throw ValidationError("--root-device goes with --snapshot") }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["name": .text(name)]
        if let description { fields["description"] = .text(description) }
        if let snapshot { fields["fromSnapshotId"] = .text(snapshot) }
        if let rootDevice { fields["rootDevice"] = .text(rootDevice) }
        if let instance { fields["instanceId"] = .text(instance) }
        let image: ImageView = try await client.call("POST", "/images", fields)
        Output.line(image.id)
    }
}

/// `varve image copy`
struct ImageCopy: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy an image, with its snapshots, into this region, and print the copy's id.",
        discussion: """
            It is available once the snapshots are stored.

            Example:
              varve image copy ami-0123456789abcdef0 --name base --from us-east-1 --region us-west-2
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The image's id.") var id: String
    @Option(help: "The copy's name.") var name: String
    @Option(help: "The region that the image is in; without it, the one that the copy comes to.") var from: String?

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["name": .text(name), "fromImageId": .text(id)]
        if let from { fields["fromRegion"] = .text(from) }
        let image: ImageView = try await client.call("POST", "/images", fields)
        Output.line(image.id)
    }
}

/// `varve image list`
struct ImageList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every image, oldest first, and those that others share.",
        discussion: """
            Example:
              varve image list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    private struct Answer: Decodable {
        let images: [ImageView]
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/images")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "NAME", "OWNER", "STATE", ">DISKS", "CREATED")
        for one in (try NativeClient.read(bytes) as Answer).images {
            table.add(
                one.id, one.name, one.ownerId, one.state.rawValue, String(one.disks.count),
                LocalTime.text(one.createdAt))
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve image show`
struct ImageShow: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one image and its disks.",
        discussion: """
            Example:
              varve image show ami-0123456789abcdef0 --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The image's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/images/\(Segment.of(id))")
        if format.output == .json { return Output.json(bytes) }
        let image: ImageView = try NativeClient.read(bytes)
        var facts = Facts()
        facts.add("id", image.id)
        facts.add("name", image.name)
        facts.add("description", image.description)
        facts.add("owner", image.ownerId)
        facts.add("state", image.state.rawValue + (image.reason.map { ": \($0)" } ?? ""))
        facts.add("instance", image.sourceInstanceId)
        facts.add("copy of", image.sourceImageId)
        for disk in image.disks {
            let root = disk.device == image.rootDevice ? ", to start from" : ""
            facts.add(
                disk.device, "\(Size(bytes: disk.sizeBytes).description), \(disk.snapshotId ?? "empty")\(root)")
        }
        facts.add("created", LocalTime.text(image.createdAt))
        facts.lines.forEach(Output.line)
    }
}

/// `varve image deregister`
struct ImageDeregister: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "deregister", abstract: "Deregister an image. What was made of it stays.",
        discussion: """
            Its snapshots stay, too, and can be deleted from then on.

            Example:
              varve image deregister ami-0123456789abcdef0 --delete-snapshots
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The image's id.") var id: String
    @Flag(help: "Delete its snapshots with it, but for those that another image needs.") var deleteSnapshots = false

    func run(_ client: NativeClient) async throws {
        let query = deleteSnapshots ? "?deleteSnapshots=true" : ""
        _ = try await client.callRaw("DELETE", "/images/\(Segment.of(id))\(query)")
    }
}
