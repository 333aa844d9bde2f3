using System.Globalization;

namespace Sora.Weights;

/// <summary>
/// Writes a model whose weights are a sum of several models', each times a factor. Trainings that began from one model can be averaged
/// (Wortsman et al. 2022, arXiv 2203.05482), and what a training changed can be added to another, with the model it began from
/// at a negative factor (Ilharco et al. 2023, arXiv 2212.04089).
/// </summary>
public static class MergedCheckpoint
{
    private const double Rounding = 1e-6;

    /// <summary>Writes the folder. Transformers and text encoder are merged; everything else is the first model's, but for a LoRA for few steps, which the sum has none of.</summary>
    /// <param name="models">Two or more models of the same configs and tokenizer, with their factors, which sum to 1.</param>
    /// <param name="folder">A folder that does not exist or is empty.</param>
    /// <param name="precision">The type of weights; norms, modulation, embeddings of time and the VAE are float32 in each, but what the first model has in bfloat16 stays so where bfloat16 is asked for.</param>
    /// <param name="cancellationToken">Stops between tensors; nothing remains.</param>
    /// <returns>The bytes of the weights.</returns>
    /// <exception cref="SoraException">A model cannot be read, the models do not fit together, or the folder cannot be written.</exception>
    public static long Write(IReadOnlyList<(string Model, double Factor)> models, string folder, WeightPrecision precision, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(models);
        if (models.Count < 2)
            throw new SoraException($"{models.Count} model is not enough to merge; at least 2.");
        double sum = models.Sum(model => model.Factor);
        if (!(Math.Abs(sum - 1) < Rounding))
            throw new SoraException(string.Create(CultureInfo.InvariantCulture, $"The factors {string.Join(", ", models.Select(model => model.Factor.ToString(CultureInfo.InvariantCulture)))} sum to {sum}; they must sum to 1, as 0.5 and 0.5, or 1, 0.5 and -0.5."));
        (ModelFolder Folder, double Factor)[] opened = [.. models.Select(model => (ModelFolder.Open(model.Model), model.Factor))];
        ModelFolder first = opened[0].Folder;
        foreach ((ModelFolder other, _) in opened.Skip(1))
            Require(first, other);
        return ConvertedCheckpoint.Write(
            first.ForOtherWeights(),
            part => IsMerged(part) ? MergedStore.Open([.. opened.Select(model => ((Func<WeightStore>)(() => model.Folder.OpenWeights(part)), model.Factor))]) : first.OpenWeights(part),
            folder, precision, cancellationToken);
    }

    private static bool IsMerged(string part) => part is "transformer" or "transformer_2" or "text_encoder";

    private static void Require(ModelFolder first, ModelFolder other)
    {
        string? difference =
            first.Transformer.ToJson() != other.Transformer.ToJson() ? "transformers"
            : first.Transformer2?.ToJson() != other.Transformer2?.ToJson() ? "second transformers"
            : first.TextEncoder.ToJson() != other.TextEncoder.ToJson() ? "text encoders"
            : first.Vae.ToJson() != other.Vae.ToJson() ? "autoencoders"
            : first.Scheduler.Prediction != other.Scheduler.Prediction ? "predictions"
            : !first.ReadSentencePiece().AsSpan().SequenceEqual(other.ReadSentencePiece()) ? "tokenizers"
            : null;
        if (difference is not null)
            throw new SoraException($"{other.Path} and {first.Path} have different {difference}; only models that were trained from one another can be merged.");
    }
}
