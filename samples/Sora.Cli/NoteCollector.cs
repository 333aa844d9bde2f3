namespace Sora.Cli;

/// <summary>Passes progress on and keeps its notes, which are shown after a streamed video.</summary>
internal sealed class NoteCollector(IProgress<GenerationProgress> progress) : IProgress<GenerationProgress>
{
    private readonly List<string> _notes = [];

    /// <summary>The notes so far.</summary>
    public string[] Notes
    {
        get
        {
            lock (_notes)
                return [.. _notes];
        }
    }

    /// <inheritdoc/>
    public void Report(GenerationProgress value)
    {
        if (value.Note is { } note)
        {
            lock (_notes)
                _notes.Add(note);
        }
        progress.Report(value);
    }
}
