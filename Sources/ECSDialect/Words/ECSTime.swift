internal import Blocks

extension WallTime {
    /// `2026-11-21T01:32Z`, as it writes those of tasks.
    var ecsMinute: String { String(ecs.dropLast(4)) + "Z" }

    /// `2026-11-21T01:32:14Z`, as this API writes times.
    var ecs: String {
        let text = description
        return String(text.prefix { $0 != "." }) + "Z"
    }
}

/// Sizes in whole GiB.
enum Gibibytes {
    static func of(_ bytes: Int) -> Int { (bytes + (1 << 30) - 1) >> 30 }
}
