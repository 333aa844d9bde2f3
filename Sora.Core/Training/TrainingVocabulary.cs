using Sora.Text;
using Sora.Weights;

namespace Sora.Training;

/// <summary>The tokenizer of a training: <c>spiece.model</c> in its run folder.</summary>
internal static class TrainingVocabulary
{
    // As many words as the published tokenizers of small text models have; rarer words are spelled.
    private const int MostWords = 8000;

    /// <summary>
    /// Writes the tokenizer: a copy of the one that the weights to begin with were trained with, else one built of the words
    /// of the captions. On a folder of videos the one that the run began with stays, since the text encoder has a row for each
    /// of its pieces.
    /// </summary>
    public static void Write(string path, FlowTrainingConfig config, IFlowBatches batches)
    {
        if (Stays(path, config))
            return;
        if (Given(config) is { } given)
            AtomicFile.Copy(given, path);
        else
            Build(path, batches.Vocabulary);
    }

    /// <summary>Refuses weights to begin with whose tokenizer is missing: before hours of encoding.</summary>
    /// <exception cref="SoraException">The model to begin with has no tokenizer.</exception>
    public static void Require(string path, FlowTrainingConfig config)
    {
        if (!Stays(path, config) && Given(config) is { } given && !File.Exists(given))
            throw new SoraException($"start_folder has no tokenizer: '{given}' is missing, whose pieces its text encoder knows.");
    }

    private static bool Stays(string path, FlowTrainingConfig config) => config.Data.Folder is not null && File.Exists(path);

    private static string? Given(FlowTrainingConfig config) => config.StartFolder is { } start ? Path.Combine(start, "tokenizer", "spiece.model") : null;

    /// <summary>Tells how many captions the text encoder does not see to their end.</summary>
    public static void NoteCuts(IEnumerable<string> captions, PromptTokenizer tokenizer, int maxLength, Action<string> log)
    {
        int count = 0, cut = 0, longest = 0;
        foreach (string caption in captions)
        {
            int length = tokenizer.Tokenize(caption, maxLength).UncutLength;
            (count, cut, longest) = (count + 1, cut + (length > maxLength ? 1 : 0), Math.Max(longest, length));
        }
        if (cut > 0)
            log(FormattableString.Invariant($"{cut} of {count} captions have more tokens than max_text_length {maxLength}, and their ends are not seen; the longest has {longest}"));
    }

    private static void Build(string path, IReadOnlyDictionary<string, long> words) =>
        new SentencePieceModelBuilder(words.OrderByDescending(word => word.Value).ThenBy(word => word.Key, StringComparer.Ordinal).Take(MostWords)).Write(path);
}
