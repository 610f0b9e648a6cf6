internal import Foundation

/// What qemu-img does for us: everything about qcow2.
enum QemuImage {
    private struct About: Decodable {
        let format: String
        let virtualSize: Int
        let backing: String?
        let encrypted: Bool?

        enum CodingKeys: String, CodingKey {
            case format, encrypted, virtualSize = "virtual-size", backing = "backing-filename"
        }
    }

    /// The size of the disk in a qcow2 image that stands by itself.
    static func size(of path: String) throws -> Int {
        let tool = try Tool("qemu-img")
        let result = try tool.output(of: ["info", "--output=json", "-f", "qcow2", path])
        guard result.status == 0, let about = try? JSONDecoder().decode(About.self, from: result.output) else {
            throw CommandFailure.refused("\(path) is a broken qcow2 image: \(result.lastComplaint)")
        }
        if let backing = about.backing {
            throw CommandFailure.refused(
                "\(path) builds on another image, \(backing); flatten it first: qemu-img convert -O qcow2 \(path) NEW")
        }
        guard about.encrypted != true else { throw CommandFailure.refused("\(path) is encrypted; decrypt it first") }
        return about.virtualSize
    }

    /// Copies a qcow2 image into a disk that reads as zeros.
    static func copy(_ path: String, to uri: String, _ painter: ProgressPainter) async throws {
        try await Tool("qemu-img").run(
            ["convert", "-p", "-n", "--target-is-zero", "-W", "-f", "qcow2", "-O", "raw", path, uri],
            progress: painter)
    }

    /// Copies a disk into a new image file.
    static func copy(from uri: String, to path: String, as format: ImageFile.Format, _ painter: ProgressPainter)
        async throws
    {
        try await Tool("qemu-img").run(
            ["convert", "-p", "-W", "-f", "raw", "-O", format.rawValue, uri, path], progress: painter)
    }
}
