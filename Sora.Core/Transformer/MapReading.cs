namespace Sora.Transformer;

/// <summary>What is known of a cell by its noisy semantic map.</summary>
/// <param name="Subjects">How likely each subject is, [N, S]; what is missing to 1 is that there is none.</param>
/// <param name="Points">The mean point of the drawing that the cell shows, right of and below its middle, in lengths of its longer side, [N, 2].</param>
/// <param name="Spread">The variance of either number of the point, [N, 1].</param>
/// <param name="Mirrored">The mean sign of whether the drawing is mirrored, 1, or not, −1, [N, 1].</param>
/// <param name="Turn">The mean cosine and sine of the turn, and of twice it, [N, 4].</param>
internal readonly record struct MapReading(Tensor Subjects, Tensor Points, Tensor Spread, Tensor Mirrored, Tensor Turn);
