using System.Globalization;
using Sora.Layers;

namespace Sora.Bench;

/// <summary>
/// How much memory each stage of a generation takes: the process's greatest resident memory during the stage (VmHWM) less what
/// it was before the generation. Of a model whose parts are loaded and were used before, that is what is computed. Linux
/// alone, where writing 5 to clear_refs begins a new peak (proc(5)).
/// </summary>
internal sealed class StagePeaks : IProgress<GenerationProgress>
{
    private readonly Dictionary<GenerationStage, long> _peaks = [];
    private readonly long _before;
    private GenerationStage? _stage;

    /// <summary>Measures from now on.</summary>
    public StagePeaks()
    {
        Restart();
        _before = Read("VmRSS:");
    }

    /// <inheritdoc/>
    public void Report(GenerationProgress value)
    {
        if (value.Stage == _stage)
            return;
        End();
        _stage = value.Stage;
        Restart();
    }

    /// <summary>The bytes of each stage, the running one's so far.</summary>
    public IReadOnlyDictionary<GenerationStage, long> End()
    {
        if (_stage is { } stage)
            _peaks[stage] = Math.Max(_peaks.GetValueOrDefault(stage), Read("VmHWM:") - _before);
        return _peaks;
    }

    // What stages before have left for the garbage collector is not this one's.
    private static void Restart()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        EngineMemory.ReleaseUnused();
        File.WriteAllText("/proc/self/clear_refs", "5");
    }

    private static long Read(string name)
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return 1024 * long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }
}
