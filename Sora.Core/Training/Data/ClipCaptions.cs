namespace Sora.Training.Data;

/// <summary>The captions of a clip.</summary>
/// <param name="Short">As people write them; at least one.</param>
/// <param name="Detailed">Longer ones, written by a model or by who drew the clip; may be empty.</param>
public sealed record ClipCaptions(IReadOnlyList<string> Short, IReadOnlyList<string> Detailed)
{
    /// <summary>One of them: with the share's probability a detailed one, if there is any.</summary>
    /// <param name="detailedShare">The share of detailed captions, 0 to 1 (recaptioning: Betker et al. 2023 mix 95 %).</param>
    /// <param name="kind">A uniform number in [0, 1) that decides between short and detailed.</param>
    /// <param name="which">A uniform number in [0, 1) that decides which.</param>
    public string Pick(double detailedShare, double kind, double which)
    {
        IReadOnlyList<string> captions = Detailed.Count > 0 && kind < detailedShare ? Detailed : Short;
        return captions[(int)(which * captions.Count)];
    }
}
