export const menu = [
  { dish: "soup", price: 6 },
  { dish: "bread", price: 2 },
];
