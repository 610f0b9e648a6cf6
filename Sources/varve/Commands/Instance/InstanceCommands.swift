internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve instance ...`
struct InstanceCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance", abstract: "Make, list, change and terminate instances: hosts that volumes attach to.",
        subcommands: [
            InstanceCreate.self, InstanceList.self, InstanceShow.self, InstanceStart.self, InstanceStop.self,
            InstanceAttach.self, InstanceDetach.self, InstanceReplaceRoot.self, InstanceConnect.self,
            InstanceQuiesce.self, InstanceTerminate.self,
        ])
}

/// `varve instance create`
struct InstanceCreate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an instance and print its id.",
        discussion: """
            It stands for a host of yours; the server runs none. Volumes in its zone can be attached to it.

            Example:
              varve instance create --kind database
            """)

    @OptionGroup var server: ServerOptions
    @Option(help: "The zone it is in; without it, the region's first.") var zone: String?
    @Option(help: "Its type, as you call it.") var kind = "host"
    @Flag(help: "Protect it from being terminated.") var keep = false

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["kind": .text(kind)]
        if let zone { fields["zone"] = .text(zone) }
        if keep { fields["isKept"] = .flag(true) }
        let instance: InstanceView = try await client.call("POST", "/instances", fields)
        Output.line(instance.id)
    }
}

/// `varve instance list`
struct InstanceList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every instance, oldest first.",
        discussion: """
            One that was terminated is listed for an hour.

            Example:
              varve instance list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    private struct Answer: Decodable {
        let instances: [InstanceView]
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/instances")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "NAME", "KIND", "STATE", "ZONE", ">DISKS", "CREATED")
        for one in (try NativeClient.read(bytes) as Answer).instances {
            table.add(
                one.id, one.tags?["Name"] ?? "", one.kind, one.state.rawValue, one.zone, String(one.disks.count),
                LocalTime.text(one.launchedAt))
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve instance show`
struct InstanceShow: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one instance and where its disks are.",
        discussion: """
            Example:
              varve instance show i-0123456789abcdef0 --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The instance's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/instances/\(Segment.of(id))")
        if format.output == .json { return Output.json(bytes) }
        let instance: InstanceView = try NativeClient.read(bytes)
        var facts = Facts()
        facts.add("id", instance.id)
        facts.add("name", instance.tags?["Name"])
        facts.add("kind", instance.kind)
        facts.add("state", instance.state.rawValue + (instance.isKept ? ", protected" : ""))
        facts.add("zone", instance.zone)
        facts.add("image", instance.imageId)
        for disk in instance.disks {
            let fate = disk.goesWithInstance ? ", goes with the instance" : ""
            facts.add(disk.device, "\(disk.volumeId)\(fate), at \(disk.socket ?? "the server's socket")")
        }
        facts.add("created", LocalTime.text(instance.launchedAt))
        facts.lines.forEach(Output.line)
    }
}

/// `varve instance start`
struct InstanceStart: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Say that an instance runs.",
        discussion: """
            Example:
              varve instance start i-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The instance's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("PATCH", "/instances/\(Segment.of(id))", ["state": .text("running")])
    }
}

/// `varve instance stop`
struct InstanceStop: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Say that an instance does not run. Its disks stay attached.",
        discussion: """
            Example:
              varve instance stop i-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The instance's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("PATCH", "/instances/\(Segment.of(id))", ["state": .text("stopped")])
    }
}

/// `varve instance attach`
struct InstanceAttach: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Attach a volume to an instance and print its socket.",
        discussion: """
            The socket offers this disk alone over NBD, and is the same after a restart of the server.

            Example:
              varve instance attach i-0123456789abcdef0 vol-0123456789abcdef0 --device /dev/sdf
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The instance's id.") var id: String
    @Argument(help: "The volume's id.") var volume: String
    @Option(help: "Its name there; without it, the first free one from /dev/sdf.") var device: String?
    @Flag(help: "Delete the volume when the instance is terminated.") var goesWithInstance = false

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["volumeId": .text(volume)]
        if let device { fields["device"] = .text(device) }
        if goesWithInstance { fields["goesWithInstance"] = .flag(true) }
        let disk: InstanceView.Disk = try await client.call("POST", "/instances/\(Segment.of(id))/disks", fields)
        Output.line(disk.socket ?? disk.device)
    }
}

/// `varve instance detach`
struct InstanceDetach: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Detach a volume from an instance, once what is in flight is done.",
        discussion: """
            Example:
              varve instance detach i-0123456789abcdef0 vol-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The instance's id.") var id: String
    @Argument(help: "The volume's id.") var volume: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/instances/\(Segment.of(id))/disks/\(Segment.of(volume))")
    }
}

/// `varve instance terminate`
struct InstanceTerminate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "terminate", abstract: "End an instance: its disks are detached, those that go with it deleted.",
        discussion: """
            Example:
              varve instance terminate i-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The instance's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/instances/\(Segment.of(id))")
    }
}
