using System.Globalization;

namespace Sora.Weights;

/// <summary>What a LoRA file holds.</summary>
/// <param name="Spelling">How it names modules.</param>
/// <param name="Parameters">How many parameters of the transformer it changes.</param>
/// <param name="Pairs">How many of its changes are products of low rank.</param>
/// <param name="Differences">How many are differences of full size.</param>
/// <param name="LeastRank">The smallest rank; 0 without pairs.</param>
/// <param name="GreatestRank">The largest rank; 0 without pairs.</param>
/// <param name="Bytes">The size of its tensors.</param>
public sealed record LoraDescription(
    LoraSpelling Spelling, int Parameters, int Pairs, int Differences, long LeastRank, long GreatestRank, long Bytes)
{
    /// <summary>The description as a sentence.</summary>
    public override string ToString()
    {
        string ranks = Pairs == 0 ? "" : LeastRank == GreatestRank ? $" of rank {LeastRank}" : $" of ranks {LeastRank} to {GreatestRank}";
        return string.Create(CultureInfo.InvariantCulture,
            $"LoRA in the spelling {Spelling}: {Parameters} parameters, {Pairs} pairs{ranks}, {Differences} full differences, {Bytes / 1e6:0.#} MB");
    }
}
