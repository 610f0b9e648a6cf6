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

    /// Epochs that can be. Nobody counts further; what adds one to them cannot overflow.
    static let epochLimits = 0...(1 << 53)

    /// The epochs among names such as `12` or `12.map`, ascending. Names that are written otherwise are not ours.
    static func epochs(_ names: [String]) -> [Int] {
        names.compactMap { name in
            let digits = name.hasSuffix(".map") ? String(name.dropLast(4)) : name
            return Int(digits).flatMap { epochLimits.contains($0) && String($0) == digits ? $0 : nil }
        }.sorted()
    }
}
