namespace Sora;

/// <summary>A prompt that takes over from a frame on: see <see cref="VideoRequest.LaterPrompts"/>.</summary>
/// <param name="FirstFrame">The first frame that follows it.</param>
/// <param name="Prompt">The text that the video shows from there; not empty.</param>
/// <exception cref="SoraException">A value lies outside its range.</exception>
public sealed record TimedPrompt(int FirstFrame, string Prompt)
{
    private static readonly ValueRange<int> Places = new(1, 999_999);

    /// <summary>The first frame that follows the prompt.</summary>
    /// <value>
    /// 1 to 999999. Without a <see cref="Cut"/> the change falls on the nearest frame s·n + 1, s being the model's
    /// <see cref="ModelLimits.TemporalStride"/>: a model makes s frames as one.
    /// </value>
    public int FirstFrame { get; init => field = Places.Require(nameof(FirstFrame), value)!.Value; } = Places.Require(nameof(FirstFrame), FirstFrame)!.Value;

    /// <summary>The text that the video shows from there.</summary>
    /// <value>Not empty, without NUL characters.</value>
    public string Prompt { get; init => field = VideoRequest.RequireText(value); } = VideoRequest.RequireText(Prompt);

    /// <summary>
    /// Whether a new shot begins, which knows nothing of the one before, on exactly this frame; otherwise the picture goes
    /// on from where it is.
    /// </summary>
    /// <value>By default false. Not in models that start from a first frame.</value>
    public bool Cut { get; init; }
}
