/// Up to 256 subtrees. What has no child is zero.
///
/// ```
/// inner = "VIN1" level number names count { slot-gap pointer }
/// ```
/// See docs/formats.md, "Inner node".
struct InnerNode: Equatable {
    /// 1: the children are leaves; up to ``Limits/rootLevel``.
    var level: Int
    /// Which node of its level, from 0.
    var number: Int
    /// By slot, 0 to 255.
    var children: [Int: FramePointer] = [:]

    init(level: Int, number: Int) {
        self.level = level
        self.number = number
    }

    private static let magic = Array("VIN1".utf8)

    func encoded() -> [UInt8] {
        var names = PackNames()
        var body = ByteWriter()
        body.number(children.count)
        var next = 0
        for (slot, pointer) in children.sorted(by: { $0.key < $1.key }) {
            precondition(slot >= next && slot < Limits.fanout)
            body.number(slot - next)
            names.write(pointer, to: &body)
            next = slot + 1
        }
        var writer = ByteWriter(InnerNode.magic)
        writer.number(level)
        writer.number(number)
        names.write(to: &writer)
        writer.append(body.bytes)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(FormatFailure) {
        var reader = ByteReader(bytes)
        try reader.expect(InnerNode.magic)
        level = try reader.number(in: 1...Limits.rootLevel, "a level")
        number = try reader.number(in: 0...Limits.leaves, "a node's number")
        let names = try PackNames(from: &reader)
        var next = 0
        for _ in 0..<(try reader.count(each: PackNames.pointerBytesMin + 1, limit: Limits.fanout, "children")) {
            let slot = next + (try reader.number(in: 0...Limits.fanout, "a slot"))
            guard slot < Limits.fanout else { throw FormatFailure("a child beyond its node") }
            children[slot] = try names.pointer(from: &reader, plainMax: Limits.nodeBytesMax)
            next = slot + 1
        }
        try reader.expectEnd()
    }
}
