/// The names in a volume's directory. See docs/formats.md, "A volume's directory".
struct VolumePaths: Sendable {
    let directory: String

    var record: String { directory + "/volume.json" }
    var maps: String { directory + "/maps" }
    var cuts: String { directory + "/cuts" }
    var rollbackRuns: String { directory + "/rollback.runs" }

    func home(_ name: String) -> String { directory + "/" + name }
    func map(_ epoch: Int) -> String { "\(maps)/\(epoch).map" }
    func cut(_ epoch: Int) -> String { "\(cuts)/\(epoch)" }
    func cutRecord(_ epoch: Int) -> String { cut(epoch) + "/cut.json" }
    func overlay(_ epoch: Int) -> String { cut(epoch) + "/overlay.img" }
    func capturedLog(_ epoch: Int) -> String { cut(epoch) + "/captured.log" }

    /// The epochs among names such as `12` or `12.map`, ascending.
    static func epochs(_ names: [String]) -> [Int] {
        names.compactMap { Int($0.hasSuffix(".map") ? String($0.dropLast(4)) : $0) }.sorted()
    }
}
