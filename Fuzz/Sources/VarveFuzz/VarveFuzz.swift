import CFuzzDriver
import FoundationEssentials
import FuzzTargets
import Glibc

/// Feeds one fuzz target with libFuzzer. The target's name is in the environment rather than an argument, because
/// libFuzzer starts this program again with arguments of its own when it merges corpora.
///
///     varve-fuzz --list
///     VARVE_FUZZ_TARGET=packs varve-fuzz --write-seeds FOLDER [Fuzz/corpus/packs.txt]
///     VARVE_FUZZ_TARGET=packs varve-fuzz CORPUS... -max_total_time=60
@main struct VarveFuzz {
    private static let target = FuzzTarget.all.first {
        $0.name == ProcessInfo.processInfo.environment["VARVE_FUZZ_TARGET"]
    }

    static func main() throws {
        let arguments = CommandLine.arguments
        if arguments.dropFirst().first == "--list" {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        guard let target else { fatalError("VARVE_FUZZ_TARGET names no target; --list shows them") }
        if arguments.count >= 3, arguments[1] == "--write-seeds" {
            let corpus = arguments.count > 3 ? try String(contentsOf: URL(filePath: arguments[3]), encoding: .utf8) : ""
            let inputs =
                try target.seeds() + corpus.split(separator: "\n").map { try FuzzTarget.input(hexadecimal: $0) }
            for (number, input) in inputs.enumerated() {
                try Data(input).write(to: URL(filePath: arguments[2]).appending(path: "seed-\(number)"))
            }
            return
        }
        run(arguments + ["-max_len=\(target.bytesMax)"])
    }

    private static func run(_ arguments: [String]) {
        var count = Int32(arguments.count)
        var copies: [UnsafeMutablePointer<CChar>?] = arguments.map { text in
            let bytes = text.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for (index, byte) in bytes.enumerated() { copy[index] = byte }
            return copy
        }
        copies.append(nil)
        copies.withUnsafeMutableBufferPointer { all in
            var first = all.baseAddress
            exit(LLVMFuzzerRunDriver(&count, &first) { bytes, count in VarveFuzz.feed(bytes, count) })
        }
    }

    private static func feed(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        let input = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
        do {
            try target?.run(input)
        } catch {
            // A trap is what libFuzzer takes for a finding.
            fatalError("what must hold does not: \(error)")
        }
        return 0
    }
}
