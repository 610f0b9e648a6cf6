internal import ArgumentParser
internal import ControlPlane

/// `varve volume copy`
struct VolumeCopy: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Make a volume with another one's present content and print its id.",
        discussion: """
            The content is that of one instant, whether the volume is attached or not; it goes on being used. The copy is usable
            at once; its data follow in the background. With --wait the command returns when they are all here, and on a
            terminal shows how far it is.

            Examples:
              varve volume copy vol-0123456789abcdef0 --name test
              varve volume copy vol-0123456789abcdef0 --size 20GiB --kind gp3 --wait
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The id of the volume to copy.") var id: String
    @Option(help: ArgumentHelp("A size that is not less; by default the same.", valueName: "size"))
    var size: SizeOption?
    @Option(help: "A name, 1 to 128 characters.") var name: String?
    @OptionGroup var speed: SpeedOptions
    @Flag(help: "Return when all of its content is here.") var wait = false

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let size { fields["sizeBytes"] = .number(size.bytes) }
        if let name { fields["name"] = .text(name) }
        speed.fill(&fields)
        let volume: VolumeView = try await client.call("POST", "/volumes/\(Segment.of(id))/copy", fields)
        Output.line(volume.id)
        if wait { _ = try await RestoreProgress.follow(volume.id, client) }
    }
}
