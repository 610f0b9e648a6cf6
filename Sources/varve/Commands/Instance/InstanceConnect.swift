internal import ArgumentParser
internal import Blocks
internal import ControlPlane
internal import Foundation

/// `varve instance connect`
struct InstanceConnect: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Be the host of an instance: make devices of its disks, as they come and go.",
        discussion: """
            Runs in the foreground, as a service manager likes it, and says which device each disk is. A disk that is
            attached later appears, one that is detached disappears: unmount it before. Ctrl-C takes all devices away.
            On the server's machine, as root, with the programs nbdfuse and losetup.

            Example:
              varve instance connect i-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The instance's id.") var id: String
    @Option(help: ArgumentHelp("Where the disks are mounted as files.", valueName: "dir"))
    var folder = "/run/varve/instances"

    func run(_ client: NativeClient) async throws {
        let path = "/instances/\(try Segment.of(id))"
        let devices = try HostDevices(in: Places.absolute(folder) + "/" + id)
        let interruption = await Interruption()
        do {
            try await interruption.cancels {
                while true {
                    let instance: InstanceView = try await client.call("GET", path)
                    guard instance.state != .terminated else {
                        throw CommandFailure.refused("the instance \(instance.id) was terminated")
                    }
                    try devices.bring(to: instance.disks)
                    try await Task.sleep(for: .seconds(1))
                }
            }
        } catch {
            devices.removeAll()
            guard error is CancellationError else { throw error }
        }
    }
}

/// The devices that stand for an instance's disks on this host: each a file that nbdfuse serves, under a loop device.
final class HostDevices: Sendable {
    private struct Device {
        let socket: String
        let mountPoint: String
        let server: Process
        let loop: String
    }
    private let folder: String
    private let nbdfuse: Tool
    private let losetup: Tool
    private let unmount: Tool
    private let present = Guarded<[String: Device]>([:])
    /// Disks that could not be connected, which are said once and not tried again.
    private let failed = Guarded<Set<String>>([])

    /// - Parameter folder: where the files are; made if missing.
    init(in folder: String) throws {
        self.folder = folder
        nbdfuse = try Tool("nbdfuse")
        losetup = try Tool("losetup")
        unmount = try Tool("fusermount3")
    }

    /// Adds what is new and removes what is gone.
    func bring(to disks: [InstanceView.Disk]) throws {
        let wanted = Dictionary(disks.map { ($0.device, $0) }) { first, _ in first }
        for (name, device) in present.withLock({ $0 }) where wanted[name]?.socket != device.socket {
            remove(name, device)
        }
        for (name, disk) in wanted.sorted(by: { $0.key < $1.key }) where present.withLock({ $0[name] == nil }) {
            guard let socket = disk.socket, !failed.withLock({ $0.contains(disk.volumeId) }) else { continue }
            do {
                let device = try connect(name, socket)
                present.withLock { $0[name] = device }
                Output.line("\(name) (\(disk.volumeId)) is \(device.loop)")
            } catch {
                failed.withLock { _ = $0.insert(disk.volumeId) }
                Output.note("\(name) (\(disk.volumeId)) cannot be connected: \(error)")
            }
        }
    }

    /// Takes all devices away.
    func removeAll() { for (name, device) in present.withLock({ $0 }) { remove(name, device) } }

    private func connect(_ name: String, _ socket: String) throws -> Device {
        let mountPoint = folder + "/" + (name.split(separator: "/").last.map(String.init) ?? name)
        try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: true)
        let file = mountPoint + "/disk"
        let server = Process()
        server.executableURL = URL(fileURLWithPath: nbdfuse.path)
        server.arguments = [file, "--unix", socket]
        server.standardInput = FileHandle.nullDevice
        server.standardOutput = FileHandle.nullDevice
        try server.run()
        do {
            try wait(for: file, of: server)
            let made = try losetup.output(of: ["--find", "--show", "--direct-io=on", file])
            guard made.status == 0 else { throw CommandFailure.refused("losetup failed: \(made.lastComplaint)") }
            let loop = String(decoding: made.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            return Device(socket: socket, mountPoint: mountPoint, server: server, loop: loop)
        } catch {
            end(server, mountPoint)
            throw error
        }
    }

    private func wait(for file: String, of server: Process) throws {
        for _ in 0..<100 {
            if FileManager.default.fileExists(atPath: file) { return }
            guard server.isRunning else { break }
            SystemClock().sleep(.milliseconds(100))
        }
        throw CommandFailure.refused("nbdfuse did not serve \(file)")
    }

    private func remove(_ name: String, _ device: Device) {
        present.withLock { $0[name] = nil }
        let done = try? losetup.output(of: ["--detach", device.loop])
        if let done, done.status != 0 { Output.note("\(device.loop) stays: \(done.lastComplaint)") }
        end(device.server, device.mountPoint)
        Output.line("\(name) is gone from \(device.loop)")
    }

    private func end(_ server: Process, _ mountPoint: String) {
        _ = try? unmount.output(of: ["-u", mountPoint])
        if server.isRunning { server.terminate() }
        server.waitUntilExit()
    }
}
