namespace Sora.Cli;

/// <summary>Passes progress on and keeps its notes, each once: every window of a long video reports its own.</summary>
internal sealed class NoteLog(IProgress<GenerationProgress> display) : IProgress<GenerationProgress>
{
    private readonly Lock gate = new();
    private readonly List<string> notes = [];

    public IReadOnlyList<string> Notes
    {
        get
        {
            lock (gate)
                return [.. notes];
        }
    }

    public void Report(GenerationProgress value)
    {
        lock (gate)
        {
            if (value.Note is { } note && !notes.Contains(note))
                notes.Add(note);
        }
        display.Report(value);
    }
}
