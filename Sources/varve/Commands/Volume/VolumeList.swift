internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve volume list`
struct VolumeList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every volume, oldest first.",
        discussion: """
            Example:
              varve volume list --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    private struct Answer: Decodable {
        let volumes: [VolumeView]
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/volumes")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "NAME", "STATE", ">SIZE", ">ON DISK", ">CHANGED", "CREATED")
        for volume in (try NativeClient.read(bytes) as Answer).volumes {
            table.add(
                volume.id, volume.name ?? "", volume.state.rawValue, Size(bytes: volume.sizeBytes).description,
                Size(bytes: volume.allocatedBytes).description, Size(bytes: volume.dirtyBytes).description,
                LocalTime.text(volume.createdAt))
        }
        table.lines.forEach(Output.line)
    }
}
