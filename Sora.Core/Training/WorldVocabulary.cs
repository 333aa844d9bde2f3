using Sora.Training.SpriteWorld;

namespace Sora.Training;

/// <summary>The words of the drawn world's captions.</summary>
internal static class WorldVocabulary
{
    /// <summary>Every word with how often it is in the corpus.</summary>
    /// <param name="config">The part of the world.</param>
    /// <param name="detailed">Whether the words of <see cref="DetailedCaption"/> are among them.</param>
    public static IReadOnlyDictionary<string, long> Of(SpriteWorldConfig config, bool detailed)
    {
        Dictionary<string, long> words = SpriteWorld.Captions.Vocabulary(config).ToDictionary(word => word.Key, word => (long)word.Value);
        foreach (string word in detailed ? DetailedCaption.Words : [])
            words[word] = words.GetValueOrDefault(word) + 1;
        return words;
    }
}
