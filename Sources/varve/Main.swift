internal import ArgumentParser
internal import Blocks

/// Runs one command and turns how it ended into an exit code: 0 ok, 1 refused, 2 usage, 3 server unreachable.
@main struct Main {
    static func main() async {
        Machine.ignoreBrokenPipes()
        do {
            var command = try Varve.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Varve.exit(withError: ExitCode(Ending.code(of: error)))
        }
    }
}

/// The root of all commands.
struct Varve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "varve",
        abstract: "Volumes, snapshots and restores on your own machine.",
        discussion: """
            Start a server with `varve serve`, then tell the other commands where it is:

              export VARVE_DATA=/var/lib/varve VARVE_ENDPOINT=http://127.0.0.1:8420
              varve volume create --size 8GiB --name db

            Ids go to standard output alone, everything else to standard error.
            Exit codes: 0 ok, 1 refused, 2 wrong usage, 3 server unreachable.
            """,
        version: "0.1.0",
        subcommands: [
            Serve.self, VolumeCommands.self, SnapshotCommands.self, StoreCommands.self, KeyCommands.self,
            InstanceCommands.self, ImageCommands.self, BinCommands.self, PolicyCommands.self, AccountCommands.self,
            AccessKeyCommands.self,
            TaskCommands.self, UsageCommand.self, PriceCommands.self, EventsCommand.self,
            QuotaCommands.self,
        ])
}
