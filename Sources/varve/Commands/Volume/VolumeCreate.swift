internal import ArgumentParser
internal import ControlPlane

/// `varve volume create`
struct VolumeCreate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a volume and print its id.",
        discussion: """
            A volume from a snapshot or another volume is usable at once; its data follow in the background. With --wait the
            command returns when they are all here, and on a terminal shows how far it is.

            Examples:
              varve volume create --size 8GiB --name db
              varve volume create --size 8GiB --encrypted
              varve volume create --size 100GiB --kind gp3 --iops 6000
              varve volume create --size 100GiB --kind io2 --iops 6000 --shared
              varve volume create --from-snapshot snap-0123456789abcdef0 --wait
              varve volume create --from-snapshot snap-0123456789abcdef0 --skip-damaged
            """)

    @OptionGroup var server: ServerOptions
    @Option(help: ArgumentHelp("Its size: 8GiB, 500M, or bytes. Needed for an empty volume.", valueName: "size"))
    var size: SizeOption?
    @Option(help: "A name, 1 to 128 characters.") var name: String?
    @Option(help: "A description, at most 1024 characters.") var description: String?
    @Option(help: ArgumentHelp("Start with the content of this snapshot.", valueName: "snapshot"))
    var fromSnapshot: String?
    @Option(help: ArgumentHelp("Start with the content this volume has now.", valueName: "volume"))
    var fromVolume: String?
    @Flag(help: "Encrypt its snapshots; what is made of something encrypted is so by itself.")
    var encrypted = false
    @Option(
        help: ArgumentHelp(
            "Encrypt with this key; by default the account's, else the one last rotated to, else the server's first.",
            valueName: "key"
        ))
    var key: String?

    @OptionGroup var speed: SpeedOptions
    @Flag(help: "Let several instances have it at a time, for kinds io1 and io2: they see to who writes what.")
    var shared = false
    @Flag(help: "From a degraded snapshot: what cannot be read becomes zeros, and is listed.")
    var skipDamaged = false
    @Flag(help: "Return when all of its content is here.") var wait = false

    func validate() throws {
        if skipDamaged && fromSnapshot == nil {
            throw ValidationError("--skip-damaged is for --from-snapshot.")
        }
        if fromSnapshot != nil && fromVolume != nil {
            throw ValidationError("Give --from-snapshot or --from-volume, not both.")
        }
        if size == nil && fromSnapshot == nil && fromVolume == nil {
            throw ValidationError("An empty volume needs --size, such as --size 8GiB.")
        }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let size { fields["sizeBytes"] = .number(size.bytes) }
        if let name { fields["name"] = .text(name) }
        if let description { fields["description"] = .text(description) }
        if encrypted || key != nil { fields["encrypted"] = .flag(true) }
        if let key { fields["keyId"] = .text(key) }
        if let fromSnapshot { fields["fromSnapshotId"] = .text(fromSnapshot) }
        if let fromVolume { fields["fromVolumeId"] = .text(fromVolume) }
        speed.fill(&fields)
        if shared { fields["isShared"] = .flag(true) }
        if skipDamaged { fields["skipDamaged"] = .flag(true) }
        var volume: VolumeView = try await client.call("POST", "/volumes", fields)
        Output.line(volume.id)
        if wait { volume = try await RestoreProgress.follow(volume.id, client) }
        if let holes = volume.holes, !holes.isEmpty {
            Output.note("it has holes: \(Ranges.text(holes)) cannot be read in the snapshot and are zeros")
        }
    }
}
